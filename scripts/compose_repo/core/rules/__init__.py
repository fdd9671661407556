"""The rules in gate/*.toml: requirements, origins, waivers, holds, streams, hooks."""
