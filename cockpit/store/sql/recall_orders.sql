SELECT source, order_key FROM cockpit.orders
