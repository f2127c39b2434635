"""The words around a problem: people, places, habits and ticket noise of an invented company.

Holds no problem text and no logic.

Everything here says nothing about *what* is broken, which is exactly what a tuned encoder has to learn.
`(a|b)` is a choice, `{num}` a number, `{e}` the system concerned.
"""

FIRST_NAMES = [
    "Aino",
    "Bela",
    "Carla",
    "Dario",
    "Edda",
    "Farid",
    "Greta",
    "Hamid",
    "Ines",
    "Jonas",
    "Katja",
    "Luca",
    "Mona",
    "Nils",
    "Olga",
    "Paavo",
    "Ruth",
    "Samir",
    "Tilda",
    "Uwe",
    "Vera",
    "Wanda",
    "Yusuf",
    "Zora",
    "Anouk",
    "Bruno",
    "Celine",
    "Dimitri",
    "Elif",
    "Fergus",
]
LAST_NAMES = [
    "Abel",
    "Brandl",
    "Cordes",
    "Dahl",
    "Eberle",
    "Fontana",
    "Gruber",
    "Hollis",
    "Ivanek",
    "Jansen",
    "Kovac",
    "Lindqvist",
    "Marek",
    "Novotny",
    "Okafor",
    "Petrov",
    "Quist",
    "Rossi",
    "Sandoval",
    "Tanaka",
    "Ulrich",
    "Varga",
    "Weiss",
    "Yilmaz",
    "Zeman",
    "Achterberg",
    "Bergstrom",
    "Castell",
    "Dupree",
    "Ehrling",
]
SITES = (
    "plant Nordhafen", "HQ Marktplatz", "branch Oulu", "warehouse Lindau-West", "office Porto 2nd floor", "site Brno",
    "lab building C", "outlet Gent", "logistics hall 7", "Tallinn office", "shared service center Lodz", "home office",
)  # fmt: skip
DEPARTMENTS = (
    "accounts payable", "purchasing", "quality lab", "customer service", "shipping", "payroll", "engineering",
    "sales inside", "production planning", "legal", "marketing", "facility mgmt", "controlling", "after sales",
)  # fmt: skip

GREETINGS = (
    "hi",
    "hello",
    "Hi team",
    "Dear colleagues,",
    "hey guys",
    "good morning",
    "Moin,",
    "Hello IT,",
    "To whom it may concern,",
    "hi there",
)
CLOSINGS = (
    "thx",
    "Thanks in advance",
    "regards",
    "BR",
    "kind regards",
    "many thanks!!",
    "cheers",
    "pls call me back",
    "tia",
    "asap pls",
)
URGENCY = (
    "URGENT",
    "!!!",
    "prio 1",
    "high prio please",
    "escalate pls",
    "this is the third time I write",
    "no rush",
    "low prio",
    "when you have time",
)
SUBJECT_NOISE = (
    "RE:",
    "FW:",
    "AW: FW:",
    "[EXT]",
    "WG:",
    "Fwd: [SD#{num}]",
    "INC{num} -",
    "TR:",
    "#ticket",
    "(no subject)",
)

SINCE = (
    "since (monday|tuesday|last week|this morning|yesterday evening)",
    "since (the office move|the windows update|the holidays|I am back|the reorganisation)",
    "started around (8:15|10 am|noon|half past two)",
    "worked fine (yesterday|until friday|last week)",
    "happens (every day|now and then|only mornings|all the time)",
    "first noticed on {num2}.{d}.",
)
TRIED = (
    "I (restarted|rebooted) (the computer|twice|everything) already",
    "cleared (cache|cookies) and tried (chrome|firefox|edge)",
    "logged off and on again, no change",
    "changed the cable and another socket, same result",
    "reinstalled it, (did not help|no luck)",
    "a colleague checked my settings and found nothing",
    "tried it on (another pc|my phone|the laptop of a colleague) with the same outcome",
    "followed KB{num} step by step, did not help",
    "switched it off for 10 minutes, no effect",
    "updated the driver and the firmware",
)
IMPACT = (
    "the truck is waiting at the ramp",
    "month end closing is today and we must finish",
    "auditors are in the house tomorrow",
    "a customer is standing in front of me",
    "I have a presentation for the board at (10|14:30)",
    "(5|12|about 30) people are affected",
    "only me, the others are fine as far as I know",
    "salary run must be out by noon",
    "production line 2 may stop",
    "training session with 15 participants starts in an hour",
    "we have to ship {num} parcels before 16:00",
    "the tender must be submitted tonight",
)
ASIDES = (
    "PS my other ticket about the printer is still open",
    "btw the projector in room {num2} is also not nice but that can wait",
    "not sure if related: yesterday there was the vpn maintenance",
    "could be connected with the mailbox migration, just guessing",
    "the new phone works great by the way",
    "we also ordered a second monitor in may, where is it?",
    "somebody from facility was here because of the power on our floor",
    "my password was changed last week, maybe of interest",
    "I also wait for the SAP role from ticket {num}, but one thing after the other",
    "the network guys were in the building on thursday",
    "sorry for my english",
    "please do not close the ticket without calling me",
)
AGENT_NOTES = (
    "Remote session with caller, issue reproduced.",
    "Caller is VIP.",
    "Checked basic connectivity - ok. No recent changes found in CMDB for the CI.",
    "Caller not reachable on callback, left message.",
    "Assigned to 2nd level, please check.",
    "Asked for screenshot, see attachment image00{num2}.png",
    "Knowledge article {num} not applicable.",
    "Same caller had INC{num} last month (closed, no fault found).",
    "Asset {asset} out of warranty.",
    "Ticket bounced between queues 3x.",
)
FORM_FIELDS = (
    "Location: {site}",
    "Dept: {dept}",
    "Asset tag: {asset}",
    "Phone: -{num}",
    "Contact: {name}",
    "OS: Win 11 23H2",
    "Business impact: {impact}",
    "Since when: {since}",
    "Tried: {tried}",
    "Category: please select",
    "Floor/Room: {num2}.0{num2}",
    "Attachment: image00{num2}.png",
    "Approver: n/a",
    "Error code: see below",
)
LOG_NOISE = (
    "2024-0{d}-1{d} 0{d}:3{d}:4{d},{num} INFO  [main] scheduler heartbeat ok",
    "2024-0{d}-1{d} 0{d}:3{d}:4{d},{num} WARN  [pool-{d}] retry {d} of 5, backing off {num} ms",
    "2024-0{d}-1{d} 0{d}:3{d}:4{d},{num} DEBUG [http-{d}] session 0x{num}af{num} opened",
    "at com.example.core.Dispatcher.invoke(Dispatcher.java:{num})",
    "at com.example.util.RetryTemplate.run(RetryTemplate.java:{num2})",
    "at System.Threading.Tasks.Task.Execute()",
    'File "/opt/app/runner.py", line {num}, in main',
    "correlation id 7f{num}-{num}-4b{num2}",
    "host={asset} user=S-1-5-21-{num}-{num} build 22631.{num}",
    "Environment: PRODUCTION region eu-{d} version 4.{d}.{num2}",
    "... {num} lines omitted ...",
)
ALERT_FRAMES = (
    "[{sev}] {asset} {e}: {err}",
    "PROBLEM {num} severity={sev} ci={asset} msg='{err}' ({e})",
    "** Notification ** Host: {asset} State: {sev} Info: {err} Service: {e}",
    "auto-generated event {num}: {e} / {err}",
)
SEVERITIES = ("CRIT", "WARN", "MAJOR", "Sev2", "DISASTER", "HIGH")
DISCLAIMER = (
    "-- This message and everything attached to it is meant only for the person it was written to. If you are not that "
    "person, delete it and tell the sender. Think of the trees before you print. Registered office Marktplatz 1, "
    "board: see website. We use your data as described in our privacy notice. --"
)
THREAD_LINES = (
    "> On {num2}.{d}. the service desk wrote: we have received your request and a colleague will come back to you.",
    "> Status changed from New to In Progress to Pending user to In Progress.",
    "> Hello, could you please tell us your asset number and when you are at your desk?",
    "> It is {asset}, as I wrote in my first message. I am here until 4.",
    "> We will close this request automatically after 5 working days without an answer.",
    "> Please do not close, nothing has been solved.",
    "> adding {name2} in cc, who sits next to me and can confirm.",
    "> I am out of office on friday, in this case contact {dept}.",
    "> Reminder: your opinion counts! Rate our service with 1 to 5 stars.",
)
REPEAT_SHAPES = (
    "FW: {text}\n{name}, {site}",
    "RE: INC{num} reopened, {tried}, {impact}\n{text}",
    "{text}\nany news on this?? {impact}. {tried}. {name}",
    "same here with {e}, {since}, copy of my colleagues mail: {text}",
    "[auto-created from mail {num}] {text}\n{name} | {dept} | {site} | ext. {num}",
    "second attempt, no answer so far, {impact}: {text}",
    "{text}\n{name} ({dept}) has it too. {tried}. {since}. {impact}",
    "dup of #{num}? {text}\nAssigned to 2nd level, {name}",
    "pls see below, {name}\nPC: {asset}\n{since}, {impact}\n{text}",
    "{text} !!! {impact}, {impact}",
    "copied from chat, {name} / {dept} / {asset}\n{tried}, {tried}\n{text}\npls dont close it before calling me",
    "{text}\nLocation: {site}\nAsset tag: {asset}\nPhone: -{num}\nOS: Win 11 23H2\nBusiness impact: {impact}",
)
GENERIC_ENTITY = ("it", "the system", "the thing", "our one")
ABBREVIATIONS = {
    "please": "pls",
    "password": "pw",
    "because": "bc",
    "cannot": "cant",
    "with": "w/",
    "without": "w/o",
    "message": "msg",
    "colleague": "coll.",
    "yesterday": "yday",
    "minutes": "min",
    "are": "r",
    "you": "u",
    "permission": "perm.",
    "account": "acct",
    "application": "app",
    "number": "no.",
    "working": "wrking",
    "connection": "conn",
    "customer": "cust.",
}
