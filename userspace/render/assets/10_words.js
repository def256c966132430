/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page is one classic script, joined from these files in the order of their names. It draws what
 * the report computed, and computes nothing itself but the statistics of a range that one selects.
 *
 * words - the words of the page, in English and in Spanish. What the report says in sentences
 * comes from lab, in English. Whatever other people named is text: textContent or fillText.
 */
"use strict";

const WORDS = {
	en: {
		title: "Timeline", language: "Español", theme: "Theme", help: "Help", print: "Print", svg: "Save SVG",
		png: "Save PNG", copy: "Copy PNG", search: "Find a task", all: "Whole run", zoomin: "Zoom in",
		zoomout: "Zoom out", color: "Colour", path: "Critical path", showme: "Show me", loading: "Loading the timeline",
		running: "running", ready: "ready", blocked: "blocked", foreign: "other programs", idle: "idle",
		unknown: "not known", cpus: "CPUs", tasks: "Tasks", process: "process", pinned: "Pinned",
		operations: "operations in flight", strip: "running, ready", of: "of", range: "range",
		before: "before", stuck: "stuck", proof: "proof", exit: "exit", claim: "claim", audit: "audit", loss: "loss", scope: "scope", seen: "seen",
		stack: "Where the CPUs went", profile: "How many ran at once", bottles: "Bottles: who held the rest up",
		waits: "Waiting for a CPU", locks: "Locks", loops: "Event loops", moves: "Migrations", lane: "lane",
		critical: "Critical path: what the end waited for", serializer: "Serializer", about: "About this run",
		task: "task", tid: "tid", cpu: "CPU", run: "run", wait: "ready", longest: "longest wait", switches: "switches",
		voluntary: "voluntary", involuntary: "involuntary", migrations: "moves", reasons: "blocked by", share: "share",
		kind: "kind", address: "address", name: "name", count: "waits", total: "in all", max: "longest",
		waiters: "waiters", handed: "handed over by", preempted: "its holder without a CPU", from: "from", to: "to",
		none: "none", operation: "operation", started: "begins", took: "took", clear: "Clear", more: "and {n} more: lab report -f json shows all",
		cut: "From {at} on, {n} stretches are not in this file: it would be too large for a browser. lab report -f perfetto and -f csv have them all.",
		cuthere: "not in this file",
		rangehead: "Range: {from} to {to} ({len})", rangeclass: "range: {class}",
		rangepar: "two or more ran at once for {a} of the time with any running; {avg} on average while busy, {max} at most",
		rangecon: "two or more tasks or operations were in progress for {a} of the time with any",
		parallel: "parallel", concurrent: "concurrent", sequential: "sequential", inconclusive: "inconclusive", nothing: "nothing ran",
		rangemissing: "Records are missing for {a} of it. That time is not known, so the sums are at least so much.",
		rangedoubt: "The run's verdict is inconclusive: what is missing could change this too.",
		legend: "How to read this", legendlead: "Each column of a lane is filled in proportion to time, at every zoom.",
		l_run: "has a CPU: it is being executed.", l_ready: "could go on at once, but has no CPU.",
		l_lock: "blocked: waits for a lock or a condition.", l_event: "blocked: waits for an event (epoll, poll).",
		l_io: "blocked: waits for input or output.", l_sleep: "blocked: sleeps until a time.",
		l_child: "blocked: waits for a child process or a thread to end.", l_other: "blocked for another reason.",
		l_foreign: "the CPU ran another program.", l_unknown: "records are missing here.",
		l_conc: "Concurrency: several tasks are under way at once, their stretches overlap in the task lanes, though one CPU may serve them in turn.",
		l_par: "Parallelism: several run at the same instant; look for two CPU lanes that are filled one above the other.",
		l_seq: "Sequential: one begins when the other has ended; their stretches never overlap.",
		s_run: "running", s_ready: "ready", s_lock: "lock", s_event: "event", s_io: "in/out", s_sleep: "sleep", s_child: "child", s_other: "other",
		keys: "Keys", k_move: "move left, right", k_zoom: "zoom in, out", k_lane: "lane above, below", k_lock: "lock the lane's arrows; on a process: fold it",
		k_pin: "pin the lane on top", k_fold: "fold all processes, unfold", k_detail: "rows of reasons and operations below the lane", k_range: "set the range's ends at the cursor",
		k_fit: "zoom to the range", k_all: "the whole run", k_find: "find a task", k_next: "next, previous stretch of the lane", k_color: "CPU lanes by task or by state",
		k_path: "critical path on, off", k_witness: "show the evidence", k_theme: "light, dark, as the system", k_lang: "English, Spanish",
		k_esc: "let go: range, lock, search, this help", k_mouse: "Wheel: zoom at the pointer. Drag: move. Shift and drag: a range. Double click: zoom to a stretch. Wheel over the names, or Shift and wheel: scroll.",
		wokenby: "woken by", woke: "by an interrupt", preempt: "preempted", born: "born", hidden: "its begin is not recorded; drawn at its shortest",
		heldby: "Meanwhile on CPUs", largest: "largest loss", table: "The lanes as a table", height: "height: share of the time", width: "width: tasks that run meanwhile",
		copied: "copied", saved: "saved", nocopy: "this browser does not let a file copy pictures: use Save PNG",
		found: "{n} of {all} tasks", damaged: "The data of the timeline cannot be read: {why}. The report above does not depend on it.",
		old: "This browser is too old for the timeline (it lacks DecompressionStream). The report above does not need it.",
		c_work: "work", c_latency: "wake-up latency", c_affinity: "barred to waiting tasks", c_throttled: "held back by a quota or deadline budget",
		c_balancing: "idle beside waiting tasks", c_undivided: "idle beside waiting tasks", c_interference: "other programs, tasks waited", c_other: "other programs, no task waited",
		c_unknown: "not known", c_no_thread: "no task", c_blocked: "blocked on ",
	},
	es: {
		title: "Línea de tiempo", language: "English", theme: "Tema", help: "Ayuda", print: "Imprimir", svg: "Guardar SVG",
		png: "Guardar PNG", copy: "Copiar PNG", search: "Buscar una tarea", all: "Toda la ejecución", zoomin: "Acercar",
		zoomout: "Alejar", color: "Color", path: "Camino crítico", showme: "Muéstramelo", loading: "Cargando la línea de tiempo",
		running: "ejecutándose", ready: "lista", blocked: "bloqueada", foreign: "otros programas", idle: "libre",
		unknown: "se desconoce", cpus: "CPU", tasks: "Tareas", process: "proceso", pinned: "Fijadas",
		operations: "operaciones en curso", strip: "ejecutándose, listas", of: "de", range: "intervalo",
		before: "antes", stuck: "detenida", proof: "prueba", exit: "salida", claim: "afirmación", audit: "auditoría", loss: "pérdidas", scope: "alcance", seen: "visto",
		stack: "En qué se fueron las CPU", profile: "Cuántas a la vez", bottles: "Botellas: quién retuvo a las demás",
		waits: "Esperas de CPU", locks: "Cerrojos", loops: "Bucles de eventos", moves: "Migraciones", lane: "carril",
		critical: "Camino crítico: a qué esperó el final", serializer: "Serializador", about: "Sobre esta ejecución",
		task: "tarea", tid: "tid", cpu: "CPU", run: "ejecución", wait: "lista", longest: "espera más larga", switches: "cambios",
		voluntary: "voluntarios", involuntary: "involuntarios", migrations: "traslados", reasons: "bloqueada por", share: "parte",
		kind: "tipo", address: "dirección", name: "nombre", count: "esperas", total: "en total", max: "la más larga",
		waiters: "quiénes esperan", handed: "entregado por", preempted: "su dueño sin CPU", from: "de", to: "a",
		none: "ninguno", operation: "operación", started: "empieza", took: "duró", clear: "Quitar", more: "y {n} más: lab report -f json las muestra todas",
		cut: "Desde {at}, {n} tramos no están en este archivo: sería demasiado grande para un navegador. lab report -f perfetto y -f csv los tienen todos.",
		cuthere: "no está en este archivo",
		rangehead: "Intervalo: de {from} a {to} ({len})", rangeclass: "intervalo: {class}",
		rangepar: "dos o más a la vez durante {a} del tiempo con alguna en ejecución; {avg} de media mientras había trabajo, {max} como máximo",
		rangecon: "dos o más tareas u operaciones en curso durante {a} del tiempo con alguna",
		parallel: "paralelo", concurrent: "concurrente", sequential: "secuencial", inconclusive: "sin conclusión", nothing: "nada se ejecutó",
		rangemissing: "Faltan registros durante {a}. De ese tiempo no se sabe nada: las sumas son, como mínimo, estas.",
		rangedoubt: "El veredicto de la ejecución no es concluyente: lo que falta podría cambiar también esto.",
		legend: "Cómo se lee", legendlead: "Cada columna de un carril se llena en proporción al tiempo, a cualquier escala.",
		l_run: "tiene una CPU: se está ejecutando.", l_ready: "podría seguir ya, pero no tiene CPU.",
		l_lock: "bloqueada: espera un cerrojo o una condición.", l_event: "bloqueada: espera un evento (epoll, poll).",
		l_io: "bloqueada: espera entrada o salida.", l_sleep: "bloqueada: duerme hasta una hora.",
		l_child: "bloqueada: espera a que termine un proceso hijo o un hilo.", l_other: "bloqueada por otra razón.",
		l_foreign: "la CPU ejecutaba otro programa.", l_unknown: "aquí faltan registros.",
		l_conc: "Concurrencia: varias tareas están en marcha a la vez, sus tramos se solapan en los carriles de tareas, aunque una sola CPU las atienda por turnos.",
		l_par: "Paralelismo: varias se ejecutan en el mismo instante; busca dos carriles de CPU llenos uno encima del otro.",
		l_seq: "Secuencial: una empieza cuando la otra ha terminado; sus tramos nunca se solapan.",
		s_run: "ejecución", s_ready: "lista", s_lock: "cerrojo", s_event: "evento", s_io: "E/S", s_sleep: "duerme", s_child: "hijo", s_other: "otra",
		keys: "Teclas", k_move: "mover a izquierda, derecha", k_zoom: "acercar, alejar", k_lane: "carril de arriba, de abajo", k_lock: "fijar las flechas del carril; en un proceso: plegarlo",
		k_pin: "fijar el carril arriba", k_fold: "plegar o desplegar los procesos", k_detail: "filas de razones y operaciones bajo el carril", k_range: "poner los extremos del intervalo en el cursor",
		k_fit: "ampliar el intervalo", k_all: "toda la ejecución", k_find: "buscar una tarea", k_next: "tramo siguiente, anterior del carril", k_color: "carriles de CPU por tarea o por estado",
		k_path: "camino crítico sí, no", k_witness: "mostrar la prueba", k_theme: "claro, oscuro, como el sistema", k_lang: "inglés, español",
		k_esc: "soltar: intervalo, flechas, búsqueda, esta ayuda", k_mouse: "Rueda: escala en el puntero. Arrastrar: mover. Mayúsculas y arrastrar: un intervalo. Doble clic: ampliar un tramo. Rueda sobre los nombres, o Mayúsculas y rueda: desplazar.",
		wokenby: "la despertó", woke: "una interrupción", preempt: "desalojada", born: "nace", hidden: "su comienzo no está registrado; se dibuja lo más corto posible",
		heldby: "Mientras, en las CPU", largest: "mayor pérdida", table: "Los carriles como tabla", height: "altura: parte del tiempo", width: "anchura: tareas que se ejecutan mientras",
		copied: "copiado", saved: "guardado", nocopy: "este navegador no deja que un archivo copie imágenes: usa Guardar PNG",
		found: "{n} de {all} tareas", damaged: "Los datos de la línea de tiempo no se pueden leer: {why}. El informe de arriba no depende de ellos.",
		old: "Este navegador es demasiado antiguo para la línea de tiempo (no tiene DecompressionStream). El informe de arriba no la necesita.",
		c_work: "trabajo", c_latency: "despertar", c_affinity: "vedadas a tareas que esperan", c_throttled: "retenido por la cuota",
		c_balancing: "libres junto a tareas que esperan", c_undivided: "libres junto a tareas que esperan", c_interference: "otros programas, con tareas esperando", c_other: "otros programas, sin tareas esperando",
		c_unknown: "se desconoce", c_no_thread: "ninguna tarea", c_blocked: "bloqueadas por ",
	},
};

let language = "en";

/* The word for a key; {name} is replaced by values[name]. */
function word(key, values) {
	const text = WORDS[language][key] ?? WORDS.en[key] ?? key;

	return values ? text.replace(/\{(\w+)\}/g, (all, name) => name in values ? String(values[name]) : all) : text;
}

/* Elements whose text is a word: data-word holds the key, data-tip that of the title. */
function retranslate(root) {
	document.documentElement.lang = language;
	for (const el of root.querySelectorAll("[data-word]"))
		el.textContent = word(el.dataset.word);
	for (const el of root.querySelectorAll("[data-tip]")) {
		el.title = word(el.dataset.tip);
		el.setAttribute("aria-label", word(el.dataset.tip));
	}
	for (const el of root.querySelectorAll("[data-hint]"))
		el.placeholder = word(el.dataset.hint);
}
