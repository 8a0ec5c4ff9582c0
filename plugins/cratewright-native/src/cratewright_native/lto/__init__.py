"""Link-time optimization: all modules as one, or each separately."""
