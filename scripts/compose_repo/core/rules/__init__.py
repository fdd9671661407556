"""The rules in gate/*.toml: requirements, origins, waivers, streams, hooks."""
