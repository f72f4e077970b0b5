"""Modbus TCP: registers of many devices behind one server or gateway, numbered scan by scan, each read exactly once."""
