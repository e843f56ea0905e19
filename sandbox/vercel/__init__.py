"""Vercel's REST API as far as projects, deployments, promotion and environment variables go."""

from sandbox.vercel.app import create_app
from sandbox.vercel.seed import DeploymentSeed, ProjectSeed, seed

__all__ = ["DeploymentSeed", "ProjectSeed", "create_app", "seed"]
