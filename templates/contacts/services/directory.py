"""A directory of companies by the domain of their mail addresses."""

from services.server import Json, Refusal, Unchanged

COMPANIES: dict[str, Json] = {
    "analytical.example": {"name": "Analytical Engines Ltd", "industry": "Manufacturing", "employees": 120},
    "bletchley.example": {"name": "Bletchley Research", "industry": "Research", "employees": 9000},
    "cafe-muller.example": {"name": "Café Müller GmbH", "industry": "Hospitality", "employees": 14},
    "cobol.example": {"name": "Cobol Systems, Inc.", "industry": "Software", "employees": 850},
    "nordlys.example": {"name": "Nordlys Energi AS", "industry": "Energy", "employees": 2300},
    "orbit.example": {"name": "Orbit Dynamics", "industry": "Aerospace", "employees": 4100},
    "tanaka.example": {"name": "田中製作所", "industry": "Manufacturing", "employees": 60},
}


class Directory:
    """Looks companies up."""

    def find(self, request: Json) -> Json:
        """Return the company of ``domain``."""
        company = COMPANIES.get(request["domain"])
        if company is None:
            raise Refusal(404, "not_found", f"no company is known for {request['domain']}")
        return Unchanged(company)
