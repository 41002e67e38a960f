"""Posters of films from The Movie Database (with your own key), cached on disk; films without one get a drawing.

posters = al.posters.Posters()                                # key: $TMDB_API_KEY
poster = posters.of(al.posters.Film("Iron Man (2008)", tmdb=1726))
page = al.posters.page([model.similar("Iron Man (2008)")], posters)   # one HTML file with images

film.py (ids and title of a film), tmdb.py (the API client), cache.py (the folder), placeholder.py (the drawing),
gallery.py (lists as a page).
"""

from alsatian.posters.film import Film
from alsatian.posters.gallery import page
from alsatian.posters.poster import Poster, Posters

__all__ = ["Film", "Poster", "Posters", "page"]
