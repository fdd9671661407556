"""Problems with codes: what they are, and how a report lists them."""
