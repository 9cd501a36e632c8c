"""What one opens and calls over a finished run: the web app and the HTTP service."""
