"""Our stand-in for AWS IoT Core: a broker for publishers, and rules that lead into a queue.

For fleets whose rate MiniStack's broker cannot take. It knows no accounts, no certificates, no
subscribers and no shadows: who wants to see those uses MiniStack, or AWS.
"""
