"""The pages of the app, one a file, each with `show`, which draws it; and the script that Streamlit runs."""
