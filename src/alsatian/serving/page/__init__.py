"""The web page of a service, for visitors and known users."""
