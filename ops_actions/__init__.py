"""How a change to the Operations Hub is asked for, judged, done and recorded."""
