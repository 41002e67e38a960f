"""Recommendations from raw invoice lines; cancellations and lines without a customer are left out and counted.

python examples/shop.py online-retail.parquet 12347
"""

import sys

import alsatian as al


def main(source: str, customer: int) -> None:
    bought = al.read(source, bad_rows="skip", where="Quantity > 0")
    print(bought, bought.report, sep="\n")
    model = al.ImplicitALS(use_values=False).fit(bought)  # whether it was bought, not how many: a few orders are huge
    print(model.recommend(customer, n=10, reasons=True))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
