"""Every ops action that can be asked for, one file each; `registry` finds them."""
