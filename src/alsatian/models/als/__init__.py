"""Alternating least squares: ExplicitALS and ImplicitALS."""
