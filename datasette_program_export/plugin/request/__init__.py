"""Turn an HTTP request into a Request and check its permissions."""
