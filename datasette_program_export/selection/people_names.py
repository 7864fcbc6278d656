"""Which names sound like people: of tables, and of the columns that hold what is personal.

Only names and declared types are looked at, never rows, so that a guess is the same tomorrow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from ..database.schema import Column, Table
from .secrets import snake_case

# A table of this name holds people. First those whom records are about, then those who keep the records.
ANYBODY: tuple[str, ...] = (
    "person",
    "people",
    "human",
    "individual",
    "personne",
    "persona",
    "pessoa",
    "persone",
    "persoon",
)
SUBJECTS: tuple[str, ...] = (
    *ANYBODY, "client", "customer", "patient", "student", "pupil", "kunde", "klient", "mandant", "schüler",
    "schueler", "versicherte", "bewohner", "élève", "eleve", "paciente", "cliente", "alumno", "aluno", "paziente",
    "clienti", "pazienti", "klant",
)  # fmt: skip
KEEPERS: tuple[str, ...] = (
    "employee", "teacher", "mitarbeiter", "angestellte", "lehrer", "lehrkraft", "lehrkräfte", "employé", "employe",
    "empleado", "funcionario", "funcionário", "dipendente", "dipendenti", "medewerker", "profesor",
)  # fmt: skip
USERS: tuple[str, ...] = (
    "user",
    "benutzer",
    "nutzer",
    "utilisateur",
    "usuario",
    "usuário",
    "utente",
    "utenti",
    "gebruiker",
)
# Only with a column that is a person's own, such as a first name, or with a name and a telephone
PERHAPS_SUBJECTS: tuple[str, ...] = (
    "member", "contact", "subscriber", "guest", "tenant", "lead", "candidate", "applicant", "donor", "volunteer",
    "participant", "attendee", "resident", "passenger", "child", "children", "parent", "guardian", "player", "voter",
    "borrower", "visitor", "follower", "friend", "beneficiary", "inmate", "prisoner", "suspect", "victim", "witness",
    "debtor", "spouse", "partner", "account", "buyer", "seller", "owner", "mitglied", "teilnehmer", "kontakt", "gast",
    "mieter", "bewerber", "spieler", "membre", "adhérent", "adherent", "abonné", "abonne", "socio", "miembro", "membro",
    "contatto", "lid", "leden", "profile",
)  # fmt: skip
PERHAPS_KEEPERS: tuple[str, ...] = (
    "staff", "worker", "agent", "driver", "doctor", "physician", "nurse", "therapist", "practitioner",
    "coach", "trainer", "instructor", "landlord", "colleague", "manager", "supervisor", "admin", "administrator",
    "operator", "technician", "consultant", "author", "arzt", "ärzte", "aerzte", "médico", "medico",
)  # fmt: skip
# Of these, alone and with a name, people without doubt
PEOPLE_WITH_A_NAME = (
    "member", "guest", "applicant", "donor", "volunteer", "participant", "attendee", "resident", "passenger",
    "visitor", "inmate", "prisoner", "staff", "doctor", "physician", "nurse", "therapist", "mitglied", "teilnehmer",
    "gast", "bewerber", "spieler", "arzt", "ärzte", "aerzte",
)  # fmt: skip
# Of these, one that refers to people by their name is a thing of theirs
OFTEN_THINGS = ("account", "member", "subscriber", "tenant", "partner", "profile")
# and one that people refer to is an organisation, unless its rows have first names.
OFTEN_ORGANISATIONS = ("account", "tenant", "partner")
# A row of a table of this name tells more of the one who refers to it.
DETAILS = (
    "address", "adresse", "dirección", "direccion", "endereço", "endereco", "indirizzo", "adres", "profile", "profil",
    "perfil", "profilo", "bio", "biography", "demographic", "identity", "passport", "preference", "credential",
    "login", "avatar", "portrait",
)  # fmt: skip
DETAILS_OF_PEOPLE = ("detail", "info", "information", "data")  # `user_info`, but not `plan_info`
# A row of a table of this name is shared, whoever refers to it.
ORGANISATIONS = (
    "company", "companies", "firm", "organisation", "organization", "org", "institution", "department", "division",
    "branch", "office", "store", "shop", "school", "university", "team", "group", "bank", "supplier", "vendor",
    "shipper", "employer", "insurer", "workspace", "clinic", "practice", "hospital", "church", "club", "household",
    "plan", "firma", "verein", "société", "societe", "entreprise", "empresa", "azienda", "bedrijf", "class", "room",
    "country", "city", "region", "venue", "restaurant", "hotel", "publisher", "label", "agency", "brand",
    "manufacturer", "association", "foundation", "site", "location", "project", "product", "service",
)  # fmt: skip
# A reference of this name says who did something, not about whom the row is.
_ROLES = re.compile(
    r"(^|_)(creat|updat|modif|edit|approv|review(er|ed_by)|assign|verif|check|process|handl|manag|supervis|signed_by"
    r"|enter|record(ed)?_by|clerk|teacher|doctor|physician|nurse|therapist|coach|trainer|driver|agent|librarian"
    r"|dentist|vet$|instructor|staff|employee|operator|admin|author)|(?<!e)ed$|_by$"
)
_BEGINNINGS = re.compile(r"(^|_)(creat|request|report|submit|enter|record|author|sent_by|sender)")

_FIRST = (
    "first_name", "given_name", "forename", "fore_name", "firstname", "givenname", "vorname", "prénom", "prenom",
    "nombre", "nombres", "primeiro_nome", "nome", "voornaam", "fname",
)  # fmt: skip
_LAST = (
    "last_name", "family_name", "surname", "lastname", "familyname", "sur_name", "nachname", "familienname",
    "nom_de_famille", "nom", "apellido", "apellidos", "sobrenome", "apelido", "cognome", "achternaam", "lname",
    "apellido1",
)  # fmt: skip
_BORN = (
    "birth_date", "birthdate", "date_of_birth", "dob", "birthday", "birth_day", "born", "born_on", "birth_year",
    "geburtsdatum", "geboren", "geboren_am", "geburtstag", "date_de_naissance", "date_naissance",
    "fecha_de_nacimiento", "fecha_nacimiento", "data_de_nascimento", "data_nascimento", "data_di_nascita",
    "data_nascita", "geboortedatum",
)  # fmt: skip
_OWN = (
    "full_name", "fullname", "middle_name", "maiden_name", "username", "user_name", "gender", "sex", "ssn",
    "social_security_number", "marital_status", "e_mail", "email", "email_address", "mail_address", "geschlecht",
    "sexe", "sexo", "correo", "iban",
)  # fmt: skip
_NAME = ("name", "display_name", "contact_name", "nickname", "login", *_FIRST, *_LAST)
_REACHED = ("phone", "telephone", "mobile", "cell", "phone_number", "mobile_number", "telefon", "handy", "telefone",
            "telefono", "teléfono", "téléphone", "whatsapp")  # fmt: skip
_PERSONAL = {*_FIRST, *_LAST, *_BORN, *_OWN} - {"nombre", "nome", "nom"}  # these are names of things, too
_ENDINGS = ("", "s", "es", "n", "en", "e", "er", "innen")  # of plurals
_FILLERS = ("tbl", "tb", "t", "table", "dim", "master")
_MARKS = {"id", "ids", "key", "fk", "pk", "no", "nr", "num", "number", "code", "uuid", "guid", "ref", "pid"}


def subject_rank(table: Table) -> int | None:
    """Return how much a table's name and columns sound like people whom records are about; 0 is most.

    None if they do not sound like people at all. Ranks: those of clear names, those of names that need personal
    columns, other names with columns of people, those who keep the records, users."""
    last = _words(table.name)[-1:]
    for rank, certain in ((0, SUBJECTS), (3, KEEPERS), (4, USERS)):
        if _is_one(last, certain):
            return rank if is_one_word(table) or personal_columns(table) or _has(table, _NAME) else None
    for rank, perhaps in ((1, PERHAPS_SUBJECTS), (3, PERHAPS_KEEPERS)):
        if _is_one(last, perhaps):
            named = _has(table, _NAME) and (_has(table, _REACHED) or _is_clear(table))
            return rank if personal_columns(table) or named else None
    if sounds_like_organisation(table) or is_named_details(table):
        return None
    own = _has(table, _BORN, dates=True) or _has(table, ("email", "e_mail", "email_address"))
    return 2 if is_named_like_people(table) or (own and _has(table, _NAME)) else None


def _is_clear(table: Table) -> bool:
    return is_one_word(table) and _is_one(_words(table.name)[-1:], PEOPLE_WITH_A_NAME)


def is_named_like_people(table: Table) -> bool:
    """Return whether rows have a first name and another; not only a name and an e-mail address, as an order has."""
    return _has(table, _FIRST) and _has(table, (*_LAST, "name"))


def has_certain_name(table: Table) -> bool:
    """Return whether a table's name ends in a word that means people, such as ``app_patient``."""
    return _is_one(_words(table.name)[-1:], (*SUBJECTS, *KEEPERS, *USERS))


def may_be_a_thing(table: Table) -> bool:
    """Return whether a table that sounds like people may hold things of theirs: ``accounts``, without first names."""
    return _is_one(_words(table.name)[-1:], OFTEN_THINGS) and not _is_of_people(table)


def may_be_an_organisation(table: Table) -> bool:
    """Return whether a table that sounds like people may hold organisations: ``accounts``, without first names."""
    return _is_one(_words(table.name)[-1:], OFTEN_ORGANISATIONS) and not _is_of_people(table)


def holds_users(table: Table) -> bool:
    """Return whether a table is called ``users`` or the like."""
    return _is_one(_words(table.name)[-1:], USERS)


def _is_of_people(table: Table) -> bool:
    return is_named_like_people(table) or _has(table, _FIRST) or _has(table, _BORN, dates=True)


def is_one_word(table: Table) -> bool:
    """Return whether a table's name is a single word, such as ``contacts``, beside ``tbl`` and the like."""
    return len([w for w in _words(table.name) if w not in _FILLERS]) == 1


def personal_columns(table: Table) -> list[str]:
    """Return the columns that hold what is one person's own, such as a first name or an e-mail address."""
    return [c.name for c in table.visible_columns if _form(c) in _PERSONAL and _is_text(c, _form(c) in _BORN)]


def name_columns(table: Table) -> list[str]:
    """Return the columns of a person's first and last name, the first name first; an empty list without both."""
    forms = {_form(c): c.name for c in table.visible_columns if _is_text(c)}
    found = [next((forms[f] for f in known if f in forms), None) for known in (_FIRST, _LAST)]
    return [name for name in found if name is not None] if None not in found else []


def birth_columns(table: Table) -> list[str]:
    """Return the columns that say when somebody was born."""
    return [c.name for c in table.visible_columns if _form(c) in _BORN]


def is_named_details(table: Table) -> bool:
    """Return whether a table's name says that its rows tell more of somebody: ``profiles``, ``user_info``."""
    words = _words(table.name)
    people = (*SUBJECTS, *KEEPERS, *USERS, *PERHAPS_SUBJECTS, *PERHAPS_KEEPERS)
    return _is_one(words[-1:], DETAILS) or (_is_one(words[-1:], DETAILS_OF_PEOPLE) and _is_one(words[:-1], people))


def is_named_anybody(table: Table) -> bool:
    """Return whether a table is called ``persons`` or the like: others refer to it to say who somebody is."""
    return _is_one(_words(table.name)[-1:], ANYBODY)


def sounds_like_organisation(table: Table) -> bool:
    """Return whether a row sounds like something that many share: a company, a school, a city."""
    return _is_one(_words(table.name)[-1:], ORGANISATIONS)


def says_who_did_it(columns: Iterable[str]) -> bool:
    """Return whether a reference says who did something: ``approved_by``, ``doctor_id``."""
    said = "_".join(_said(column) for column in columns)
    return bool(_ROLES.search(said)) and not names_a_subject(columns)


def says_who_began_it(columns: Iterable[str]) -> bool:
    """Return whether a reference says who made a row, not who was given it: ``created_by``, not ``assigned_to``."""
    return bool(_BEGINNINGS.search("_".join(_said(column) for column in columns)))


def names_a_subject(columns: Iterable[str]) -> bool:
    """Return whether a reference is called like people whom records are about: ``patient_id``."""
    return any(_is_one(_said(column).split("_"), SUBJECTS) for column in columns)


def is_named_after(columns: Iterable[str], other_columns: Iterable[str], table: Table) -> bool:
    """Return whether a foreign key is called like the table that it names: ``patient_id`` for ``patients``."""
    last, other = list(columns)[-1], list(other_columns)[-1]
    if _folded(last) == _folded(other) and _folded(last) not in _MARKS:
        return True
    said, whole = _said(last), [w for w in _words(table.name) if w not in _FILLERS] or ["table"]
    return any(_is_one([said], (form,)) or _is_one([form], (said,)) for form in ("_".join(whole), whole[-1]))


def _said(column: str) -> str:
    """Return what a foreign key's column says beside that it is one: ``patient`` for ``id_patient``."""
    words = list(_words(column))
    while len(words) > 1 and words[-1] in _MARKS:
        words.pop()
    while len(words) > 1 and words[0] in _MARKS:
        words.pop(0)
    return "_".join(words)


@lru_cache(maxsize=10_000)
def _words(name: str) -> tuple[str, ...]:
    folded = _folded(name.replace("Innen", "innen")).strip("_0123456789")
    found = [w for part in folded.split(".") for w in part.split("_") if w]
    # `customerid` is `customer_id`
    if found and len(found[-1]) > 4 and found[-1].endswith("id") and len(found) == 1:
        found = [found[0][:-2], "id"]
    if len(found) > 1 and found[-1] == "master":
        found.pop()
    return tuple(found or [folded])


def _is_one(words: Iterable[str], known: Iterable[str]) -> bool:
    forms = set(known)
    for word in words:
        stems = {word[: len(word) - len(e)] for e in _ENDINGS if word.endswith(e)}
        stems |= {word[:-3] + "y"} if word.endswith("ies") else set()
        if stems & forms:
            return True
    return False


def _has(table: Table, forms: Iterable[str], dates: bool = False) -> bool:
    known = set(forms)
    return any(_form(c) in known and _is_text(c, dates) for c in table.visible_columns)


def _form(column: Column) -> str:
    return _folded(column.name)


@lru_cache(maxsize=10_000)
def _folded(name: str) -> str:
    return snake_case(unicodedata.normalize("NFKC", name)).casefold()


def _is_text(column: Column, date: bool = False) -> bool:
    """Return whether a column's type can hold a text; a ``date`` may be a number, too."""
    return date or column.affinity == "TEXT" or column.type.upper() in ("", "ANY", "STRING")
