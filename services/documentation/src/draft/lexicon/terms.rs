//! Words by kind. The rules combine kinds ("an order and a test"), so a kind says nothing about a section by itself.

/// Symptoms in clinical language, or that nobody mentions in passing.
pub(in super::super) const CLINICAL_SYMPTOMS: &[&str] = &[
    "abdominal pain", "back pain", "blood in my stool", "blood in my urine", "blurred vision",
    "blurry vision", "bowel movements", "burning when i pee", "burns when i pee", "catch my breath",
    "chest pain", "chest pains", "chest tightness", "diarrhea", "dysuria", "hard to breathe", "heartburn",
    "hemoptysis", "hip pain", "joint pain", "joint pains", "knee pain", "leg swelling", "lightheaded",
    "lightheadedness", "loss of appetite", "lower back pain", "muscle aches", "nausea", "nauseated",
    "nauseous", "neck pain", "night sweats", "numbness", "palpitations", "runny nose", "short of breath",
    "shortness of breath", "shoulder pain", "sore throat", "stomach pain", "stuffy nose",
    "tightness in my chest", "tingling", "trouble breathing", "trouble sleeping", "urination", "vertigo",
    "vomited", "vomiting", "weight gain", "weight loss", "wheezing",
];
/// Symptoms that people also mention at home.
pub(in super::super) const EVERYDAY_SYMPTOMS: &[&str] = &[
    "bloating", "chills", "congested", "congestion", "constipated", "constipation", "cough", "coughing",
    "cramping", "cramps", "dizziness", "dizzy", "fatigue", "headache", "headaches", "insomnia", "itching",
    "itchy", "migraines", "phlegm", "rash", "sneezing", "sputum", "throwing up",
];
/// Words for feeling unwell that every novel uses.
pub(in super::super) const GENERAL_SYMPTOMS: &[&str] = &[
    "ache", "aches", "aching", "bleeding", "fever", "fevers", "hurt", "hurting", "hurts", "pain", "pains",
    "painful", "sore", "soreness", "stiff", "stiffness", "swelling", "swollen",
];
/// The vaguest of them.
pub(in super::super) const VAGUE_SYMPTOMS: &[&str] = &[
    "anxious", "depressed", "exhausted", "sick", "sleepy", "tired", "unwell", "weak", "weakness", "worse",
];

/// Parts of the body in everyday words.
pub(in super::super) const BODY: &[&str] = &[
    "ankle", "ankles", "arm", "arms", "back", "belly", "calf", "chest", "ear", "ears", "elbow", "eye",
    "eyes", "feet", "foot", "head", "hip", "hips", "knee", "knees", "leg", "legs", "neck", "nose",
    "shoulder", "shoulders", "skin", "stomach", "throat", "toe", "toes", "wrist",
];
/// Parts of the body as an examination names them.
pub(in super::super) const EXAMINED: &[&str] = &[
    "abdomen", "bowel sounds", "breath sounds", "conjunctiva", "cranial nerves", "ear drum", "ear drums",
    "eardrum", "eardrums", "extremities", "heart sounds", "incision", "joints", "lung", "lungs",
    "lymph nodes", "mucous membranes", "oropharynx", "pharynx", "pupils", "reflexes", "sinuses", "thyroid",
    "tonsils", "tympanic membrane", "tympanic membranes", "wound",
];
/// What an examination finds.
pub(in super::super) const FINDINGS: &[&str] = &[
    "bulging", "clear", "crackles", "dry", "enlarged", "equal", "erythematous", "inflamed", "intact",
    "moist", "nontender", "normal", "palpable", "reactive", "red", "regular", "soft", "swelling", "swollen",
    "symmetric", "tender", "tenderness", "warm", "wheezes", "wheezing", "without",
];
/// Those that say more than "red" or "soft" about an everyday part of the body.
pub(in super::super) const SPECIFIC_FINDINGS: &[&str] = &[
    "effusion", "erythematous", "inflamed", "nontender", "palpable", "swelling", "swollen", "tender",
    "tenderness",
];

pub(in super::super) const CONDITIONS: &[&str] = &[
    "allergic rhinitis", "anemia", "angina", "anxiety disorder", "arrhythmia", "asthma",
    "atrial fibrillation", "bronchitis", "cancer", "cellulitis", "chronic kidney disease", "concussion",
    "copd", "coronary artery disease", "covid", "dehydration", "diabetes", "diabetic", "dvt", "eczema",
    "fracture", "gastroenteritis", "gerd", "gout", "heart attack", "heart attacks", "heart disease",
    "heart failure", "high blood pressure", "high cholesterol", "hyperlipidemia", "hypertension",
    "hyperthyroidism", "hypothyroidism", "infection", "influenza", "kidney disease", "kidney stones",
    "major depression", "meniscus tear", "migraine", "myocardial infarction", "neuropathy", "obesity",
    "osteoporosis", "pneumonia", "psoriasis", "pulmonary embolism", "reflux", "rotator cuff", "sciatica",
    "sepsis", "shingles", "sleep apnea", "sprain", "strain", "strep", "stroke", "thrombosis", "uti",
    "vertigo", "viral illness", "virus",
];
/// Word endings that name a condition or an inflammation; the shortest such word counts from six letters.
pub(in super::super) const CONDITION_ENDINGS: &[&str] = &["itis", "opathy", "emia"];

pub(in super::super) const TESTS: &[&str] = &[
    "a1c", "biopsy", "blood count", "blood cultures", "blood test", "blood tests", "blood work", "cbc",
    "chest x ray", "colonoscopy", "creatinine", "ct", "ct scan", "cultures", "ecg", "echo", "echocardiogram",
    "ekg", "electrocardiogram", "endoscopy", "hemoglobin", "hemoglobin a1c", "lab work", "labs",
    "lipid panel", "mammogram", "metabolic panel", "mri", "potassium", "rapid strep", "sodium", "some tests",
    "spirometry", "stress test", "swab", "troponin", "troponins", "ultrasound", "urinalysis",
    "urine culture", "white blood cell count", "white count", "x ray", "x rays",
];
pub(in super::super) const RESULTS: &[&str] = &[
    "came back", "confirmed", "demonstrated", "demonstrates", "do not see", "don't see", "elevated", "grew",
    "is normal", "looks normal", "negative", "positive", "revealed", "reveals", "show", "showed", "shows",
    "unremarkable", "was normal", "were normal", "within normal limits",
];
pub(in super::super) const VITALS: &[&str] = &[
    "beats per minute", "blood pressure", "bmi", "bp", "heart rate", "o2 sat", "oxygen saturation",
    "oxygen sat", "pulse", "pulse ox", "respirations", "respiratory rate", "sats", "saturation", "temp",
    "temperature", "weight", "weighs",
];
/// Units of what is measured on a patient (doses are [`DOSE_UNITS`]).
pub(in super::super) const MEASURES: &[&str] = &[
    "beats", "bpm", "celsius", "centimeter", "centimeters", "cm", "degrees", "fahrenheit", "kg", "kilograms",
    "millimeters", "mm", "mmhg",
];

pub(in super::super) const DRUGS: &[&str] = &[
    "accutane", "acetaminophen", "albuterol", "allopurinol", "amlodipine", "apixaban", "aspirin",
    "ceftriaxone", "cetirizine", "clopidogrel", "codeine", "eliquis", "famotidine", "fluticasone",
    "furosemide", "gabapentin", "heparin", "hydrochlorothiazide", "hydrocodone", "ibuprofen", "insulin",
    "lasix", "levothyroxine", "lipitor", "metformin", "morphine", "naproxen", "nitroglycerin", "ondansetron",
    "oxycodone", "prednisone", "sertraline", "sumatriptan", "tamsulosin", "tramadol", "tylenol", "warfarin",
    "zofran",
];
/// Endings of generic drug names (the stems of the international nonproprietary names).
pub(in super::super) const DRUG_ENDINGS: &[&str] = &[
    "pril", "sartan", "olol", "statin", "cillin", "mycin", "oxacin", "prazole", "conazole", "gliptin",
    "gliflozin", "cycline", "triptan",
];
pub(in super::super) const DOSE_UNITS: &[&str] = &[
    "capsule", "capsules", "gram", "grams", "mcg", "mg", "microgram", "micrograms", "milligram",
    "milligrams", "milliliters", "ml", "pill", "pills", "puffs", "tablet", "tablets", "units",
];
pub(in super::super) const FREQUENCIES: &[&str] = &[
    "a day", "as needed", "at bedtime", "b.i.d", "bid", "daily", "every day", "every morning", "every night",
    "every four hours", "every six hours", "every eight hours", "every 4 hours", "every 6 hours",
    "every 8 hours", "every 12 hours", "once a day", "per day", "times a day", "twice a day", "twice daily",
    "three times daily",
];
/// What is given, beyond drugs by name.
pub(in super::super) const TREATMENTS: &[&str] = &[
    "antibiotic", "antibiotics", "antiviral", "blood thinner", "brace", "cast", "compression", "cortisone",
    "cpap", "crutches", "diuretic", "dosage", "dose", "flu shot", "fluids", "ice", "immunization", "inhaler",
    "injection", "intravenous", "iv", "med", "medication", "medications", "medicine", "meds", "nasal spray",
    "ointment", "oxygen", "physical therapy", "prescription", "pt", "sling", "splint", "statin", "steroid",
    "steroids", "stretches", "stretching", "vaccine",
];
pub(in super::super) const SPECIALISTS: &[&str] = &[
    "cardiologist", "cardiology", "dermatologist", "dermatology", "endocrinologist", "endocrinology", "ent",
    "gastroenterologist", "gastroenterology", "neurologist", "neurology", "oncologist", "oncology",
    "orthopedic", "orthopedics", "primary care", "psychiatrist", "pulmonologist", "pulmonology",
    "rheumatology", "specialist", "surgeon", "urology",
];

/// What announces an intention of the speaker's.
pub(in super::super) const OPENERS: &[&str] = &[
    "could try", "going to", "gonna", "i recommend", "i suggest", "i want to", "i want you to", "i will",
    "i would like to", "i would like you to", "i'd like to", "i'd like you to", "i'd recommend", "i'll",
    "let me", "let us", "let's", "need to", "plan is to", "plan to", "should", "we can", "we could",
    "we plan to", "we should", "we will", "we'll", "will", "you can", "you need to", "you should",
];
/// Orders that only clinicians give.
pub(in super::super) const CLINICAL_ORDERS: &[&str] = &[
    "follow up", "prescribe", "prescribing", "recheck", "titrate",
];
/// Orders in everyday words; they need something clinical behind them.
pub(in super::super) const ORDERS: &[&str] = &[
    "discontinue", "order", "ordering", "refer", "referring", "taper", "wean", "add", "adjust", "apply",
    "avoid", "book", "bring", "change", "check", "continue", "continuing", "cut", "decrease", "do", "double",
    "draw", "finish", "get", "getting", "give", "hold", "increase", "increasing", "keep", "lower", "monitor",
    "put", "raise", "reduce", "repeat", "restart", "resume", "run", "schedule", "see", "send", "set up",
    "start", "starting", "stop", "stopping", "switch", "switching", "take", "taking", "treat", "try", "use",
    "using", "write",
];
/// Words in front of an imperative.
pub(in super::super) const FILLERS: &[&str] = &[
    "also", "and", "just", "now", "ok", "okay", "please", "so", "then", "alright", "right", "first",
    "second", "finally",
];

/// What tells a patient to get in touch.
pub(in super::super) const CONTACT: &[&str] = &[
    "call", "come back", "come in", "emergency department", "emergency room", "give us a call",
    "go to the er", "let me know", "let us know", "return", "seek",
];
/// What makes a contact conditional.
pub(in super::super) const CONDITIONAL: &[&str] = &["for any", "if", "should", "with any"];
/// Getting worse, or not better.
pub(in super::super) const DETERIORATION: &[&str] = &[
    "any concerns", "any problems", "any questions", "does not help", "does not improve",
    "doesn't get better", "doesn't help", "doesn't improve", "don't help", "don't improve", "get worse",
    "gets worse", "getting worse", "isn't better", "no better", "not better", "not improving", "persist",
    "persists", "trouble", "worsen", "worsening", "worsens",
];

pub(in super::super) const REPORTS: &[&str] = &["mentioned", "mentions", "noted", "notes", "said", "says"];
/// Reporting verbs of clinical language.
pub(in super::super) const CLINICAL_REPORTS: &[&str] = &[
    "admits", "complained", "complains", "denied", "denies", "described", "describes", "endorsed",
    "endorses", "is complaining", "reported", "reports", "stated", "states",
];
/// Of these, what hardly anyone says of someone who is not a patient; without a subject, only dictation does.
pub(in super::super) const PATIENT_REPORTS: &[&str] = &[
    "complains of", "complained of", "denies", "endorses", "reports",
];
/// What a patient says before naming a complaint or a condition.
pub(in super::super) const I_HAVE: &[&str] = &[
    "i also had", "i also have", "i do have", "i get", "i had", "i have", "i was diagnosed", "i'm having",
    "i've been having", "i've got", "i've had", "i still have", "i just have",
];
pub(in super::super) const FIRST_PERSON: &[&str] = &["i", "i'd", "i'm", "i've", "me", "my", "myself"];
pub(in super::super) const FAMILY: &[&str] = &[
    "brother", "dad", "father", "grandfather", "grandmother", "mom", "mother", "parents", "sister",
];

pub(in super::super) const HEDGES: &[&str] = &[
    "compatible with", "concerning for", "consistent with", "could be", "due to", "i believe", "i think",
    "likely", "looks like", "may be", "might be", "points to", "probable", "probably", "secondary to",
    "sounds like", "suggestive of", "suggests", "suspect", "suspicious for",
];
pub(in super::super) const STATUSES: &[&str] = &[
    "acute", "at goal", "chronic", "controlled", "exacerbation", "improved", "improving", "mild", "moderate",
    "poorly controlled", "resolved", "resolving", "severe", "stable", "uncontrolled", "worsening",
];
pub(in super::super) const ATTRIBUTIONS: &[&str] = &[
    "assessment", "diagnosed with", "diagnosis", "impression", "patient has", "this is", "you have",
    "you've got", "it is", "it's",
];

pub(in super::super) const TIME_UNITS: &[&str] = &[
    "day", "days", "hour", "hours", "month", "months", "week", "weeks", "year", "years",
];
pub(in super::super) const NUMBER_WORDS: &[&str] = &[
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "fourteen", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
    "hundred",
];

/// Procedures, and endings of their names.
pub(in super::super) const PROCEDURES: &[&str] = &[
    "bypass", "catheterization", "debridement", "dialysis", "drainage", "operation", "repair", "replacement",
    "surgery", "transfusion",
];
pub(in super::super) const PROCEDURE_ENDINGS: &[&str] = &["ectomy", "oplasty", "oscopy", "ostomy"];
/// Parts of a hospital.
pub(in super::super) const WARDS: &[&str] = &[
    "cardiac unit", "floor", "icu", "intensive care", "intensive care unit", "medical ward",
    "step down unit", "telemetry",
];
