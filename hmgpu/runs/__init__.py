"""Run folders: steps that can be killed anywhere and resumed, and which run is current."""
