"""Messages: events that come in, announcements that go out, hints of a webhook."""
