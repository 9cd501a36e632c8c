"""The web app over finished runs: pages in Streamlit over look-ups that work without it."""
