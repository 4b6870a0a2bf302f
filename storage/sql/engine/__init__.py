"""The databases: connections, sessions, and how statements reach SQLite and PostgreSQL."""
