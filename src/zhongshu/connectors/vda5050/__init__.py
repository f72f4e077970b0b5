"""VDA 5050 2.x: master control on the brain's side, a fleet of vehicles with one MQTT client each on the other."""
