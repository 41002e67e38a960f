"""Posters of films: from The Movie Database with a key of your own, kept on disk; where there is none, drawn.

posters = al.posters.Posters()                                # key: $TMDB_API_KEY
poster = posters.of(al.posters.Film("Iron Man (2008)", tmdb=1726))
page = al.posters.page([model.similar("Iron Man (2008)")], posters)   # one HTML file, pictures inside

film.py (what a film is looked up by), tmdb.py (the questions), cache.py (the folder), placeholder.py (the drawing),
gallery.py (lists as a page).
"""

from alsatian.posters.film import Film
from alsatian.posters.gallery import page
from alsatian.posters.poster import Poster, Posters

__all__ = ["Film", "Poster", "Posters", "page"]
