"""Word lists that names, goods and places are drawn from. Invented; any likeness to a real firm is chance."""

ORGANISATIONS = (
    ("Harbour & Vale Trading", "NZ"),
    ("Kestrel Lane Studio", "GB"),
    ("Blue Gum Provisions", "AU"),
    ("Northlight Fabrication", "GB"),
    ("Tui Ridge Orchards", "NZ"),
    ("Saltbush Civil", "AU"),
    ("Copperfield Print", "GB"),
    ("Southern Cross Cycles", "NZ"),
)

PLACES = (
    "Ridgeway", "Bayside", "Hamilton", "Marlow", "Ashford", "Kingsley", "Westbrook", "Eastgate", "Thornbury",
    "Oakfield", "Riverside", "Hillcrest", "Fernwood", "Lakeview", "Stonebridge", "Highgate", "Millbrook", "Redcliffe",
    "Summerhill", "Whitby", "Kelburn", "Parnell", "Ponsonby", "Fitzroy", "Carlton", "Newtown", "Glebe", "Balmain",
    "Sandford", "Larkhill", "Elmswood", "Foxglove", "Greenway", "Harrow", "Ivybridge", "Juniper", "Kentmere",
    "Longmeadow", "Maplewood", "Northcote", "Orchard", "Pemberton", "Quayside", "Rosewood", "Silverdale", "Tidewater",
    "Underhill", "Valley", "Wharfside", "Yarrow",
)  # fmt: skip

TRADES = (
    "University", "Club", "Bakery", "Engineering", "Motors", "Dental", "Joinery", "Catering", "Florists", "Logistics",
    "Consulting", "Gardens", "Electrical", "Plumbing", "Books", "Primary School", "Medical Centre", "Brewing", "Roofing",
    "Upholstery", "Signs", "Printing", "Cleaning", "Security", "Design", "Fisheries", "Timber", "Glass", "Cafe",
    "Veterinary", "Architects", "Removals", "Textiles", "Software", "Optical", "Travel", "Wines", "Nurseries",
    "Hardware", "Interiors",
)  # fmt: skip

FIRST_NAMES = (
    "Aroha", "Ben", "Carla", "Dev", "Emma", "Farid", "Grace", "Hemi", "Isla", "Jack", "Keiko", "Liam", "Mia", "Noah",
    "Olivia", "Priya", "Quentin", "Ruby", "Sam", "Tane", "Uma", "Victor", "Wiremu", "Xanthe", "Yusuf", "Zoë",
)  # fmt: skip

LAST_NAMES = (
    "Anderson", "Brown", "Chen", "Davies", "Edwards", "Fraser", "Gupta", "Hughes", "Ioane", "Jones", "Kumar", "Lee",
    "Müller", "Ngata", "O'Brien", "Patel", "Quinn", "Roberts", "Singh", "Taylor", "Upton", "Vance", "Walker", "Young",
)  # fmt: skip

STREETS = (
    "High Street",
    "Station Road",
    "Queen Street",
    "Mill Lane",
    "Victoria Terrace",
    "Church Road",
    "Wharf Street",
)

GOODS = (
    ("CONSULT", "Consulting, per hour", 1_250_000),
    ("DESIGN", "Design work, per day", 6_400_000),
    ("HOST", "Hosting, monthly", 450_000),
    ("PAPER-A4", "Paper A4, box of five reams", 249_500),
    ("FREIGHT", "Freight and handling", 185_000),
    ("SUPPORT", "Support retainer", 9_000_000),
    ("CABLE", "Cable, per metre", 13_375),
    ("SCREW", "Screws, each", 425),
    ("TRAINING", "Training, half day", 3_200_000),
    ("LICENCE", "Software licence, one seat, one year", 1_199_900),
)
"""Item code, description, price in ten-thousandths: some have prices below a cent, which ``unitdp=4`` shows."""

COUNTRIES: dict[str, tuple[str, str, str, str, dict[str, int]]] = {
    "NZ": ("NZD", "AUD", "OUTPUT2", "INPUT2", {"OUTPUT2": 150_000, "INPUT2": 150_000, "NONE": 0}),
    "GB": ("GBP", "EUR", "OUTPUT2", "INPUT2", {"OUTPUT2": 200_000, "INPUT2": 200_000, "NONE": 0}),
    "AU": ("AUD", "USD", "OUTPUT", "INPUT", {"OUTPUT": 100_000, "INPUT": 100_000, "EXEMPTOUTPUT": 0}),
}
"""Country → base currency, another currency, tax on sales, tax on purchases, rates in ten-thousandths of a percent."""

ACCOUNTS = ("200", "260", "400", "429", "310")

INCOME = ("200",) * 9 + ("260",)
COSTS = ("310",) * 6 + ("429",) * 3 + ("400",)
"""What is sold is mostly sales; what is bought is mostly goods to be sold."""

BOUGHT_FOR = 60
"""Percent of its price that an article costs."""

TRACKING = (("Region", ("North", "South", "Eastside")), ("Department", ("Sales", "Workshop")))
