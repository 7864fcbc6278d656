"""From an HTTP request to a Request, with permissions checked."""
