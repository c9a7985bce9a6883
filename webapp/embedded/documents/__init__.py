"""A completion as JSON text: parsed into records for the store, and serialized for the API."""
