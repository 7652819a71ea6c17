"""From answers to changes: records mapped, judged and compared, positions given out, in one transaction."""
