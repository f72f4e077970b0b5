"""A plant rehearsed: the same brain against the twin in virtual time, judged by the twin's own truth."""
