"""行 Act: proposals become commands, and every command ends with proof or with a plain word that there is none."""
