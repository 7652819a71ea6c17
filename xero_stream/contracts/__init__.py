"""The words on the wire: entity names, topics, keys, envelopes and unified records. Pure; imports nothing of ours."""
