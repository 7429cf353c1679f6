"""Pictures and recordings of a terminal: frames of styled cells, written as SVG or as an asciicast."""
