"""Invented people, places and sentences for the demo."""

FIRST_NAMES = [
    "Seán",
    "José",
    "Jürgen",
    "李",
    "Zoë",
    "Ana-María",
    "Ngọc",
    "Łukasz",
    "Chloé",
    "Priya",
    "Øystein",
    "Ingeborg",
    "Tomás",
    "Yuki",
    "Fatima",
    "Émile",
    "Søren",
    "Beatriz",
    "Dmitri",
    "Aoife",
    "Renée",
    "Håkon",
    "Mei",
    "Kofi",
    "Nadia",
    "Giulia",
    "Rıfat",
    "Marta",
    "Owen",
    "Leila",
    "Björk",
    "Pablo",
    "Irène",
    "Samir",
    "Tove",
    "Amara",
    "Viktor",
    "Noor",
    "Inés",
    "Marek",
]
LAST_NAMES = [
    "O'Brien",
    "García",
    "Müller",
    "小龙",
    "van-der-Berg",
    "Ñáñez",
    "Nguyễn",
    "Wójcik",
    "D'Angelo",
    "Subramaniam",
    "Ødegård",
    "Straße",
    "Peña",
    "Tanaka",
    "al-Rashid",
    "Lefèvre",
    "Sørensen",
    "Conceição",
    "Иванов",
    "Ní-Dhónaill",
    "Côté",
    "Åkesson",
    "Zhāng",
    "Mensah",
    "Kovačević",
    "Dell'Acqua",
    "Çelik",
    "Lindqvist",
    "Smith-Jones",
    "Haddad",
    "Guðmundsdóttir",
    "Núñez",
    "L'Écuyer",
    "Benali",
    "Vikström",
    "Okafor",
    "Němec",
    "Dijkstra",
    "Ibáñez",
    "Szymański",
]
PARTNERS = ("Q. Sampler", "R. Placeholder", "T. Nonesuch", "U. Figment")

# city, region, country, latitude, longitude, time zone, minutes east of UTC
CITIES = (
    ("São Paulo", "SP", "Brazil", -23.550519900000001, -46.633309400000002, "America/Sao_Paulo", -180),
    ("北京", None, "China", 39.904211, 116.407395, "Asia/Shanghai", 480),
    ("Zürich", "ZH", "Switzerland", 47.376886599999999, 8.541694, "Europe/Zurich", 60),
    ("Dublin", "Leinster", "Ireland", 53.349805300000003, -6.2603096999999998, "Europe/Dublin", 0),
    ("München", "Bayern", "Germany", 48.1351253, 11.581980499999999, "Europe/Berlin", 60),
    ("Mumbai", "Maharashtra", "India", 19.075983700000002, 72.877655899999993, "Asia/Kolkata", 330),
    ("Reykjavík", None, "Iceland", 64.146581999999995, -21.942635500000001, "Atlantic/Reykjavik", 0),
    ("Coeur d'Alene", "Idaho", "USA", 47.677683199999997, -116.78046639999999, "America/Los_Angeles", -480),
    ("Hà Nội", None, "Vietnam", 21.027763, 105.83416, "Asia/Bangkok", 420),
    ("Accra", None, "Ghana", 5.6037167999999999, -0.18696439999999999, "Africa/Accra", 0),
)

READINGS = (
    "## {body} in {sign}\n\n*A working sketch.* Your {body} asks for **patience**; the house it stands in "
    "shows where. Three things to watch:\n\n- what you begin and do not finish\n- whom you call first\n"
    '- the hour before sleep\n\n> "Nothing is settled by the sky alone."\n',
    "{body} in {sign} gives a steady hand. It rarely hurries; when it does, something else in the chart is "
    "speaking. Compare the ruler's condition before you lean on this.\n\n1. strength by sign\n2. strength by house\n",
    "### On {body}\n\nA tense, useful placement: {sign} lends it direction, the aspects lend it weather. "
    "Talk about work first, then about rest. <em>Not markup</em>, only how it was typed; 100 % of this is invented.\n",
)

NOTES = (
    "Session {n} with {name}.\nCame with a question about moving house; wants to wait for the answer. "
    "Confidential: asked that nobody else hears of it.",
    'Session {n} with {name}. "I knew it", said twice. Long talk about sleep; we drew no conclusion.',
    "Session {n} with {name}: cancelled at short notice, no fee; next appointment by telephone.",
    "Session {n} with {name}. Tears; tea; a good hour. Look again at the progressed moon before spring; see p. 12, §3.",
)

TEMPLATES = (
    ("planet_in_sign", "sun_in_aries", "western", "The Sun in Aries begins before it has finished deciding."),
    ("planet_in_house", "moon_in_house_4", "western", "The Moon in the fourth house keeps the key to the old door."),
    ("aspect", "sun_trine_moon", "western", "Sun trine Moon: two oars in one boat."),
    ("nakshatra", "rohini", "vedic", "Rohini grows what it is given."),
    ("gate", "gate_1", "human_design", "Gate 1 makes the thing it has not seen yet."),
    ("house", "house_12", "western", "The twelfth house has a window, but it opens inwards."),
)
