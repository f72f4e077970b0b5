"""面 Web: the control room and its API; meets the stages over bus, store and history only."""
