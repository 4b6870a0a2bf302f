"""SQLite and PostgreSQL, by SQLAlchemy Core and their own drivers."""
