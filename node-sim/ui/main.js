// The page of the lab: the elements are defined here, and the first of them begins.

import "./views/header.js";
import "./views/login.js";
import "./views/wizard.js";
import "./views/cluster.js";
import "./views/rekey.js";
import "./views/servers.js";
import "./views/timeline.js";
import "./views/message.js";
import "./views/objects.js";
import "./views/faults.js";
import "./views/scenarios.js";
import "./views/app.js";
