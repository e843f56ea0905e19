"""The endpoints, one module per topic; each lists its own in ``ENDPOINTS``."""
