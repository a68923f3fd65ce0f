"""Hands: how each verb is done. One package a dialect."""
