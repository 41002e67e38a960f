"""Public data sets by name.

>>> import alsatian as al
>>> al.datasets.names()[0]
'movielens-small'
"""

from alsatian.datasets.builtin import cache_folder, load, names

__all__ = ["cache_folder", "load", "names"]
