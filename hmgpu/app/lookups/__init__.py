"""What the pages show, looked up in a finished run and its data set; nothing here knows Streamlit, nothing writes."""
