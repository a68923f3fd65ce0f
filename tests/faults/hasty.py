"""The real program, whose lock of a volume keeps a faster pace: a quarter of a second to a beat."""

from __future__ import annotations

from reconciler.actuators.ssh.images import owner
from reconciler.cli.main import main

if __name__ == "__main__":
    owner.PACE = owner.Pace(beat=0.25, dead=1.5, look=0.1, patience=4.0)
    main()
