/* libyaml, for settings files and checks. */
#ifndef PENGUINDOME_CYAML_SHIM_H
#define PENGUINDOME_CYAML_SHIM_H

#include <yaml.h>

#endif
