"""Reading over HTTP: the one client, the addresses it takes, and how long it waits."""

from compose_repo.ports.http.address import normal_url
from compose_repo.ports.http.client import Cache, Document, Http
from compose_repo.ports.http.timing import Limits, Patience, limits, patience

__all__ = ["Cache", "Document", "Http", "Limits", "Patience", "limits", "normal_url", "patience"]
