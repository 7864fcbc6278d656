"""Whose a row is, case by case: what ``docs/closure.md`` shows and ``tests/selection/test_owner_cases.py`` checks.

In each case row 1 of the first table of people is Anna; she is asked for, with everything that belongs to her.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """``rows`` says in words what there is, ``why`` what comes with Anna and by which rule.

    ``sql`` makes the database, ``settings`` are those of the plugin, ``expected`` the keys of each table that come."""

    rows: str
    why: str
    sql: str
    settings: dict[str, Any]
    expected: dict[str, set[Any]] = field(default_factory=dict)


CLIENTS = """
CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO clients VALUES (1, 'Anna'), (2, 'Bob');
"""
USERS = CLIENTS.replace("clients", "users")
STAFF = """
CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO staff VALUES (1, 'Sue');
"""

CASES = (
    Case(
        "a visit of Bob's that names Anna's chart",
        "no: its own reference says Bob",
        CLIENTS
        + """
CREATE TABLE charts (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients);
CREATE TABLE visits (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients, chart_id INTEGER REFERENCES charts);
INSERT INTO charts VALUES (1, 1);
INSERT INTO visits VALUES (1, 2, 1), (2, NULL, 1);
""",
        {"persons": ["clients"]},
        {"clients": {1}, "charts": {1}, "visits": {2}},
    ),
    Case(
        "a letter from Bob to Anna: `sender_id`, `recipient_id`",
        "yes: neither reference is called like the table, so each owns",
        CLIENTS
        + """
CREATE TABLE letters (id INTEGER PRIMARY KEY, sender_id INTEGER REFERENCES clients,
    recipient_id INTEGER REFERENCES clients);
INSERT INTO letters VALUES (1, 2, 1), (2, 2, 2);
""",
        {"persons": ["clients"]},
        {"clients": {1}, "letters": {1}},
    ),
    Case(
        "a diagnosis of Bob's that names Anna as his relative: `client_id`, `relative_id`",
        "no: `client_id` is called like the table and owns, the other only mentions",
        CLIENTS
        + """
CREATE TABLE relatives (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients,
    relative_id INTEGER REFERENCES clients);
INSERT INTO relatives VALUES (1, 2, 1), (2, 1, 2);
""",
        {"persons": ["clients"]},
        {"clients": {1}, "relatives": {2}},
    ),
    Case(
        "the same, with `owns: [relatives.relative_id]`",
        "yes: settings say which reference owns",
        CLIENTS
        + """
CREATE TABLE relatives (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients,
    relative_id INTEGER REFERENCES clients);
INSERT INTO relatives VALUES (1, 2, 1), (2, 1, 2);
""",
        {"persons": ["clients"], "owns": ["relatives.relative_id"]},
        {"clients": {1}, "relatives": {1}},
    ),
    Case(
        "Bob's appointment with Anna, who is a doctor in the same table: `patient_id`, `doctor_id`",
        "no: a reference called like people whom records are about owns",
        USERS
        + """
CREATE TABLE appointments (id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES users,
    doctor_id INTEGER REFERENCES users);
INSERT INTO appointments VALUES (1, 2, 1), (2, 1, 2);
""",
        {"persons": ["users"]},
        {"users": {1}, "appointments": {2}},
    ),
    Case(
        "Bob's leave, approved by Anna: `requester_id`, `approved_by`; a ticket that he made for her: `created_by`, "
        "`assigned_to`; whom he blocked: `blocker_id`, `blocked_id`",
        "no: who asked, made or began it owns, who only dealt with it is mentioned",
        USERS
        + """
CREATE TABLE leave (id INTEGER PRIMARY KEY, requester_id INTEGER REFERENCES users,
    approved_by INTEGER REFERENCES users);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, created_by INTEGER REFERENCES users,
    assigned_to INTEGER REFERENCES users);
CREATE TABLE blocks (id INTEGER PRIMARY KEY, blocker_id INTEGER REFERENCES users,
    blocked_id INTEGER REFERENCES users);
INSERT INTO leave VALUES (1, 2, 1), (2, 1, 2);
INSERT INTO tickets VALUES (1, 2, 1), (2, 1, 2);
INSERT INTO blocks VALUES (1, 2, 1), (2, 1, 2);
""",
        {"persons": ["users"]},
        {"users": {1}, "leave": {2}, "tickets": {2}, "blocks": {2}},
    ),
    Case(
        "the same with compound keys `(user_id, tenant_id)` and `(relative_id, tenant_id)`",
        "by `user_id` alone: a column that the references share says nothing",
        """
CREATE TABLE users (id INTEGER, tenant_id INTEGER, name TEXT, PRIMARY KEY (id, tenant_id));
CREATE TABLE relatives (id INTEGER PRIMARY KEY, user_id INTEGER, relative_id INTEGER, tenant_id INTEGER,
    FOREIGN KEY (user_id, tenant_id) REFERENCES users (id, tenant_id),
    FOREIGN KEY (relative_id, tenant_id) REFERENCES users (id, tenant_id));
INSERT INTO users VALUES (1, 9, 'Anna'), (2, 9, 'Bob');
INSERT INTO relatives VALUES (1, 2, 1, 9), (2, 1, 2, 9);
""",
        {"persons": ["users"]},
        {"users": {1}, "relatives": {2}},
    ),
    Case(
        "hours that Bob, a member of Anna's team, wrote down for the team",
        "no: whose a team, a company or a class is does not tell whose the rows below it are",
        USERS
        + """
CREATE TABLE teams (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users);
CREATE TABLE memberships (id INTEGER PRIMARY KEY, team_id INTEGER REFERENCES teams, user_id INTEGER REFERENCES users);
CREATE TABLE hours (id INTEGER PRIMARY KEY, membership_id INTEGER REFERENCES memberships,
    team_id INTEGER REFERENCES teams);
INSERT INTO teams VALUES (1, 1);
INSERT INTO memberships VALUES (1, 1, 1), (2, 1, 2);
INSERT INTO hours VALUES (1, 1, 1), (2, 2, 1);
""",
        {"persons": ["users"]},
        {"users": {1}, "teams": {1}, "memberships": {1}, "hours": {1}},
    ),
    Case(
        "a note on Bob's session, written by Anna, who is on the staff",
        "no: `persons: [clients, staff]` names clients first, and the session has one",
        STAFF.replace("Sue", "Anna")
        + CLIENTS
        + """
CREATE TABLE sessions (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients,
    staff_id INTEGER REFERENCES staff);
CREATE TABLE notes (id INTEGER PRIMARY KEY, session_id INTEGER REFERENCES sessions,
    staff_id INTEGER REFERENCES staff);
INSERT INTO sessions VALUES (1, 2, 1);
INSERT INTO notes VALUES (1, 1, 1), (2, NULL, 1);
""",
        {"persons": ["clients", "staff"]},
        {"staff": {1}, "notes": {2}},
    ),
    Case(
        "a note on Anna's session, written by somebody on the staff",
        "yes: by the session it is the client's, and clients decide before staff",
        CLIENTS
        + STAFF
        + """
CREATE TABLE sessions (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients);
CREATE TABLE notes (id INTEGER PRIMARY KEY, session_id INTEGER REFERENCES sessions,
    staff_id INTEGER REFERENCES staff);
INSERT INTO sessions VALUES (1, 1);
INSERT INTO notes VALUES (1, 1, 1);
""",
        {"persons": ["clients", "staff"]},
        {"clients": {1}, "sessions": {1}, "notes": {1}},
    ),
    Case(
        "the address that Anna refers to, and what was delivered there",
        "yes, both: details of one person are that person's",
        """
CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT);
CREATE TABLE deliveries (id INTEGER PRIMARY KEY, address_id INTEGER REFERENCES addresses);
CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, address_id INTEGER REFERENCES addresses);
INSERT INTO addresses VALUES (1, 'a'), (2, 'b');
INSERT INTO clients VALUES (1, 'Anna', 1), (2, 'Bob', 2);
INSERT INTO deliveries VALUES (1, 1), (2, 2);
""",
        {"persons": ["clients"]},
        {"clients": {1}, "addresses": {1}, "deliveries": {1}},
    ),
    Case(
        "an order of Anna's that was sent to Bob's address",
        "the order, yes; the address, no: it is a detail of Bob's",
        """
CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT);
CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, address_id INTEGER REFERENCES addresses);
CREATE TABLE orders (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients,
    ship_to INTEGER REFERENCES addresses);
INSERT INTO addresses VALUES (1, 'a'), (2, 'b');
INSERT INTO clients VALUES (1, 'Anna', 1), (2, 'Bob', 2);
INSERT INTO orders VALUES (1, 1, 2);
""",
        {"persons": ["clients"]},
        {"clients": {1}, "addresses": {1}, "orders": {1}},
    ),
    Case(
        "an address that Anna and Bob share, and what was delivered there",
        "the address, as needed; nothing is followed down from it",
        """
CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT);
CREATE TABLE deliveries (id INTEGER PRIMARY KEY, address_id INTEGER REFERENCES addresses);
CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, address_id INTEGER REFERENCES addresses);
INSERT INTO addresses VALUES (1, 'a');
INSERT INTO clients VALUES (1, 'Anna', 1), (2, 'Bob', 1);
INSERT INTO deliveries VALUES (1, 1);
""",
        {"persons": ["clients"]},
        {"clients": {1}, "addresses": {1}},
    ),
    Case(
        "the city that Anna refers to, which other addresses refer to as well",
        "yes, as needed: a city is nobody's detail, whoever refers to it",
        """
CREATE TABLE cities (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, city_id INTEGER REFERENCES cities);
CREATE TABLE orders (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients, city_id INTEGER REFERENCES cities);
INSERT INTO cities VALUES (1, 'a'), (2, 'b');
INSERT INTO clients VALUES (1, 'Anna', 1), (2, 'Bob', 2);
INSERT INTO orders VALUES (1, 1, 2), (2, 2, 1);
""",
        {"persons": ["clients"]},
        {"clients": {1}, "cities": {1, 2}, "orders": {1}},
    ),
    Case(
        "`patients.person_id` is unique and refers to `persons`, both people; letters hang on the person",
        "yes: both rows are Anna",
        """
CREATE TABLE persons (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE patients (id INTEGER PRIMARY KEY, person_id INTEGER UNIQUE REFERENCES persons);
CREATE TABLE visits (id INTEGER PRIMARY KEY, patient_id INTEGER REFERENCES patients);
CREATE TABLE letters (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES persons);
INSERT INTO persons VALUES (7, 'Anna'), (8, 'Bob');
INSERT INTO patients VALUES (1, 7), (2, 8);
INSERT INTO visits VALUES (1, 1), (2, 2);
INSERT INTO letters VALUES (1, 7), (2, 8);
""",
        {"persons": ["patients", "persons"]},
        {"patients": {1}, "persons": {7}, "visits": {1}, "letters": {1}},
    ),
    Case(
        "the same without UNIQUE",
        "no: `patients.person_id` could also be the person's doctor; `same_person: [patients.person_id]` says it",
        """
CREATE TABLE persons (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE patients (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES persons);
CREATE TABLE letters (id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES persons);
INSERT INTO persons VALUES (7, 'Anna');
INSERT INTO patients VALUES (1, 7);
INSERT INTO letters VALUES (1, 7);
""",
        {"persons": ["patients", "persons"]},
        {"patients": {1}},
    ),
    Case(
        "answers without an author on Anna's question, perhaps of a deleted account",
        "yes: what says nobody belongs to whom it hangs on",
        CLIENTS
        + """
CREATE TABLE posts (id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients, on_id INTEGER REFERENCES posts);
INSERT INTO posts VALUES (1, 1, NULL), (2, NULL, 1), (3, 2, 1);
""",
        {"persons": ["clients"]},
        {"clients": {1}, "posts": {1, 2}},
    ),
    Case(
        "the agent whom Anna is served by: `clients.staff_id`",
        "no: a person who was not asked for; Anna's row keeps the number",
        """
CREATE TABLE staff (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE clients (id INTEGER PRIMARY KEY, name TEXT, staff_id INTEGER REFERENCES staff);
INSERT INTO staff VALUES (1, 'Sue');
INSERT INTO clients VALUES (1, 'Anna', 1), (2, 'Bob', 1);
""",
        {"persons": ["clients", "staff"]},
        {"clients": {1}},
    ),
)
