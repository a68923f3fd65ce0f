"""Eyes over the vSphere SDK: the same facts as over SSH."""
