from .plugin import domain as domain
