"""Hands over the vSphere SDK: how each verb is done there, what this way can't do, and what a refusal means."""
