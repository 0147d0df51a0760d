"""The pages: the only code that knows Streamlit, and no arithmetic."""
