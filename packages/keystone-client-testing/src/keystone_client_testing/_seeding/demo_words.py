"""What the made-up centre of the demo data is made of: names, fields, titles, sentences. Data only."""

from collections.abc import Mapping

FIRST = """Ada Alan Amara Barbara Carlos Chen Chiara Daniel Diego Elena Emil Fatima Grace Hana Hugo Ines Ivan Jana Jomo
Kim Lars Leila Lin Luca Maria Mateo Mei Nadia Noor Omar Priya Rosa Samir Sofia Tariq Tomoko Vera Wei Yara Zoë""".split()
LAST = """Abe Berg Castro Costa Díaz Evans Fischer García Hansen Ito Jensen Kaya Khan Kumar Larsen López Meyer Moreau
Nguyen Novák Okafor Olsen Park Patel Petrov Ramos Rossi Sato Schmidt Silva Singh Smith Suzuki Tanaka Torres Weber Wolf
Yang Yilmaz Zhou""".split()
POSITIONS = ("Postdoc", "Postdoc", "PhD Student", "PhD Student", "PhD Student", "Research Engineer")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Astrophysics": ("galaxy mergers", "stellar winds", "black hole accretion"),
    "Biochemistry": ("protein folding", "enzyme kinetics", "membrane transport"),
    "Chemistry": ("catalyst surfaces", "reaction networks", "solvation dynamics"),
    "Climate Science": ("monsoon variability", "Arctic sea ice", "cloud feedbacks"),
    "Computer Science": ("graph partitioning", "sparse solvers", "task scheduling"),
    "Economics": ("labour markets", "trade networks", "auction design"),
    "Energy Systems": ("battery ageing", "grid stability", "wind farm wakes"),
    "Epidemiology": ("influenza transmission", "contact networks", "vaccine uptake"),
    "Fluid Dynamics": ("turbulent boundary layers", "combustion instabilities", "bubble columns"),
    "Genomics": ("variant calling", "single-cell expression", "microbial metagenomes"),
    "Geophysics": ("earthquake rupture", "mantle convection", "seismic imaging"),
    "Hydrology": ("flood forecasting", "groundwater recharge", "snowmelt runoff"),
    "Linguistics": ("dialect change", "speech corpora", "low-resource translation"),
    "Materials Science": ("grain boundaries", "perovskite stability", "alloy fatigue"),
    "Mathematics": ("random matrices", "optimal transport", "zeta functions"),
    "Medical Imaging": ("tumour segmentation", "cardiac motion", "low-dose tomography"),
    "Neuroscience": ("cortical oscillations", "spike sorting", "memory consolidation"),
    "Oceanography": ("mesoscale eddies", "plankton blooms", "tidal mixing"),
    "Particle Physics": ("jet reconstruction", "lattice gauge theory", "detector simulation"),
    "Robotics": ("grasp planning", "legged locomotion", "swarm coordination"),
}
UNITS = ("Laboratory", "Group")
STUDIES = ("Simulation of", "Machine learning for", "Uncertainty quantification of", "Large-scale analysis of",
           "High-resolution models of", "Parameter studies of")  # fmt: skip
CLUSTERS = (
    ("aurora", "General purpose CPU nodes", "OP", True),
    ("borealis", "GPU nodes for machine learning", "OP", True),
    ("cirrus", "High-throughput computing", "OP", True),
    ("duna", "Large-memory nodes", "BL", True),
    ("enclave", "Secure research data", "WL", True),
    ("fjord", "Retired in favour of aurora", "OP", False),
)
AGENCIES = ("National Science Foundation", "Department of Energy", "National Institutes of Health",
            "European Research Council", "Wellcome Trust")  # fmt: skip
JOURNALS = ("Journal of Open Computing", "Letters in Computational Science", "Annals of Simulation",
            "Proceedings of the Data Science Society")  # fmt: skip
COMMENTS: Mapping[str, tuple[str, ...]] = {
    "AP": ("Approved as requested.", "Looks good; half of the amount to begin with.", "Thank you for the clear plan."),
    "DC": ("The cluster cannot run this workload.", "This team has an active request for the same purpose."),
    "CR": ("Please add the memory needed per job.", "Which grant covers this work?", "Please explain the GPU hours."),
    "answer": ("I have added the numbers to the description.", "Updated, thank you.", "The grant is linked now."),
    "staff": ("Usage of last year was below 40 %.", "Check with the storage team first."),
}  # fmt: skip
TASKS = ("Clear old log records", "Send expiration notices", "Sync LDAP users", "Update cluster limits")
VISITS = ("/authentication/whoami/", "/allocations/requests/?_limit=25&_order=-submitted", "/users/teams/",
          "/notifications/notifications/?read=false", "/stats/requests/", "/allocations/clusters/",
          "/research/grants/?_limit=25")  # fmt: skip
