"""令 The command line: `zhongshu …`; alone ties plant and twin together."""
