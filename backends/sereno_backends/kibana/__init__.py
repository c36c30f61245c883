"""Links into Kibana; nothing here contacts it."""

from sereno_backends.kibana.discover import Kibana, KibanaAddressError, discover_url, kibana_of, kql

__all__ = ["Kibana", "KibanaAddressError", "discover_url", "kibana_of", "kql"]
