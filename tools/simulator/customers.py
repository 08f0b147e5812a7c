"""The customers of this desk: each has an Alexa at home, and an account at either identity provider."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Customer:
    """What a customer gave when signing up; the password is a test account's, shown on the page for signing in."""

    key: str
    given_name: str
    family_name: str
    email: str
    phone_number: str  # E.164
    address: str
    postal_code: str
    password: str

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}"


# With characters that speech, forms and JSON must each escape in their own way.
CUSTOMERS = {
    each.key: each
    for each in (
        Customer(
            "anna",
            "Anna & Ben",
            "Smith-O'Neill",
            "anna.smith@example.com",
            "+12065550123",
            "12 <Main> Street, Seattle",
            "98101",
            "Anna-2026",
        ),
        Customer("carlos", "Carlos", "Núñez", "carlos.nunez@example.org", "+34915550147", "Calle Mayor 7, Madrid", "28013", "Carlos-2026"),
        Customer("emi", "Emi", "Tanaka", "emi@example.jp", "+81355500198", "1-2-3 Jingumae, Shibuya, Tokyo", "150-0001", "Emi-2026"),
    )
}
