"""The ledger: a file with every reading that was sent, compared with all that is stored."""
