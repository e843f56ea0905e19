"""The native Pulumi provider ``opshub``: Flagsmith flags and Supabase migrations as resources."""
