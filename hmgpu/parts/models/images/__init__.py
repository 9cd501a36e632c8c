"""Networks that see the articles' pictures, trained together with vectors of customers and articles."""
